"""The room that turns texts into usages and usages back into texts, one folder for each family of files."""
