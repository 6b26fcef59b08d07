"""The core: what a catalogue is, with no idea of how it is stored or served."""
