"""Claims about the studies of this project's configurations; those about probes stand in the probes' folders."""
