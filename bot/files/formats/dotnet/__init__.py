"""What .NET itself reads: project files and what they import, and global.json."""
