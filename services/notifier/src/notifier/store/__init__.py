"""Where notifier keeps its rows, and the table and templates that are shipped with it."""
