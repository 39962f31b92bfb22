"""The programs that are measured, each started as a process of its own."""
