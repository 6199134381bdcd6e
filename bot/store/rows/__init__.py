"""The tables, and what several stores read and write in them alike."""
