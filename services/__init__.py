"""demarche's services: one package a stage, and the runtime that connects them to Kafka."""

PIPELINE_VERSION = "0.1.0"
