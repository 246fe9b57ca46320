//! page -> document: scope, boilerplate, fields, blocks, tables, media, dates, citations, accounting, gates. Pure.
