"""What a power cut leaves of acknowledged writes: syncs are counted, and a disk that forgets is played through."""
