// Gives the precompiled standard headers (WeirFolder.cmake) a source to belong to.
