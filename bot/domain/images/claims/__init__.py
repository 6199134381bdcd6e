"""Which repository produces which image, and under which tag, as far as anybody says so."""
