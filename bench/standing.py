"""What a house of the bench stands on: a PostgreSQL with fsync on and memory as a small server has it."""

POSTGRES = {
    "shared_buffers": "1GB",
    "effective_cache_size": "6GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
}
