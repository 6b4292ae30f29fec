"""The ConnectSafely API: profiles, relationships and searches through connected accounts."""
