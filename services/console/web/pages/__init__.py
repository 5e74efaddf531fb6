"""The pages: each is a folder with its routes, its queries and its template."""
