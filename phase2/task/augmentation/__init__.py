"""What training does to images before a network sees them, a file each: of a whole batch, where the images lie.

Each draws what it needs of `phase2.task.draws`, by the row of an image, so that no batch, no worker and no resumption
changes a pixel. Parts that are compared with each other draw under one name, and so see the same crops and mirrors.
"""
