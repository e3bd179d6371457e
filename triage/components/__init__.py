"""The components of the spaCy pipeline, a file each. Importing one registers its factory."""
