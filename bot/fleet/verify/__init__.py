"""Looks at produced images and tells what they stand on, with evidence."""
