"""`make demo`: the main job, told as it happens."""
