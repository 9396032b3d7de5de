"""Sample articles. All are invented: no such outlet, event or quotation is meant."""
