"""What is learnt: batches, objectives, metrics, augmentation."""
