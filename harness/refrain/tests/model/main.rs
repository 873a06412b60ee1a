//! Models: threads that are wrong in known ways, each caught, and threads that are right, in every order.

mod canaries;
mod correct;
