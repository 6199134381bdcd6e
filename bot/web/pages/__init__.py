"""The pages for people: each reads a view and renders its template. They work without a script."""
