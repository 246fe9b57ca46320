//! Bytes to a tree of right text: charset, NFC, the text that a reader sees with its offsets. Pure: no clock, no file.
