"""The database of RPM packages, read without rpm."""
