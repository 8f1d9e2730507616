//! The surface as a whole: every operation of the API document, called through the real router.

mod cases;
mod changes;
mod coverage;
mod document;
mod evidence;
mod input;
mod live;
mod matrix;
mod nginx;
mod proposals;
mod skills;
mod surface;
mod world;
