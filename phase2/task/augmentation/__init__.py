"""What training does to images before a network sees them, a file each."""
