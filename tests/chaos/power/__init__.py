"""What a power cut leaves of acknowledged writes: counts syncs, and simulates a disk that forgets."""
