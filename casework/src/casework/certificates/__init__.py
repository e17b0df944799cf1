"""The certificate of a title: what stands on it, how it is set and how it is signed."""
