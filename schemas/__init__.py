"""The records that travel over demarche's topics: pydantic models, topic table, generated JSON Schema."""
