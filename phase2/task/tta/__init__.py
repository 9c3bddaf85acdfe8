"""Test-time augmentation, a file each: how a trained network is asked about images of the test part."""
