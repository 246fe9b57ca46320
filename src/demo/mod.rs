//! The bundled sample portal: for learning and for tests. Only `cli` and the tests may use it.
