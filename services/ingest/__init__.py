"""Articles from files and standard input to articles.raw. What cannot be taken is told, never dropped silently."""
