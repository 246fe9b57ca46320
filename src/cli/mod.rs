//! The front desk: the only room that prints, prompts, colours, exits.
