"""The smallest service: what the chassis brings and nothing else, so that houses are tested without the real four."""
