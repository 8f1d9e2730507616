//! Who stands beside the database of one process: before and after everything that is written there is a point, and a fault.

use std::{pin::Pin, sync::Arc};

use fractal_store::{Bystander, Error, Waiting};

use crate::{
    faults::Faults,
    stage::{Life, OUTSIDE, Stage},
};

#[derive(Debug)]
pub struct Beside {
    pub stage: Arc<Stage>,
    pub life: Life,
    pub faults: Faults,
}

impl Bystander for Beside {
    fn before<'a>(&'a self, name: &'static str) -> Waiting<'a, Result<(), Error>> {
        Box::pin(async move {
            self.stage.point(self.life, format!("before {name}")).await;
            if self.life != OUTSIDE && self.stage.strikes(self.faults.database_away) {
                self.stage
                    .tell(format_args!("    the database is away for {name}"));
                return Err(Error::away("it is away"));
            }
            Ok(())
        })
    }

    fn collides(&self, name: &'static str, attempt: u32) -> bool {
        let strikes =
            self.life != OUTSIDE && attempt == 1 && self.stage.strikes(self.faults.collides);
        if strikes {
            self.stage
                .tell(format_args!("    {name} collides and runs again"));
        }
        strikes
    }

    fn written<'a>(&'a self, name: &'static str) -> Waiting<'a, Result<(), Error>> {
        Box::pin(async move {
            self.stage.point(self.life, format!("after {name}")).await;
            if self.life != OUTSIDE && self.stage.strikes(self.faults.database_answer_lost) {
                self.stage
                    .tell(format_args!("    the answer to {name} is lost"));
                return Err(Error::away("the answer was lost"));
            }
            Ok(())
        })
    }

    fn drive(&self, work: Pin<&mut (dyn Future<Output = ()> + Send)>) {
        self.stage.drive(work);
    }
}
