"""Signatures of images and files: who signed what, proved from bytes alone, without network or clock."""
