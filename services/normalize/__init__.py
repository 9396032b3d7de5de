"""Raw article to clean text with sentences: wire dirt and HTML out, a map back to the raw text kept."""
