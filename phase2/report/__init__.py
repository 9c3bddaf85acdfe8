"""The report: macros, tables and sentences drawn from results, and its typesetting."""
