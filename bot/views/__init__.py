"""What every surface shows, as frozen values with their JSON: the command line renders them, a page will too."""
