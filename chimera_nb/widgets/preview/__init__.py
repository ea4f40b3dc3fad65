"""FilePreview: look inside a compressed file."""
