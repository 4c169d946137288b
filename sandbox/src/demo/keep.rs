//! The demo stays up: how to attack it yourself.

use super::Result;
use super::screen::Screen;
use super::stage::Stage;
use sandbox::allow;

/// Tells how.
pub async fn yours(stage: &Stage, screen: &Screen) -> Result {
    let root = stage.sandbox.root();
    let role = root.create_role("/people/", "visitor", &allow(&["lambda:*", "iam:PassRole"])).await?;
    let visitor = root.assume_role(&role, "you").await?;
    screen.scene("It is yours now: attack it (Ctrl-C ends it)");
    for (name, value) in visitor.environment() {
        screen.line(&format!("export {name}={value}"));
    }
    let endpoint = stage.sandbox.endpoint_url();
    let source = &stage.orders.arn;
    screen.line(&format!(
        "aws --endpoint-url {endpoint} lambda create-event-source-mapping --function-name telemetry \\\n      \
         --event-source-arn {source}"
    ));
    screen.line(&format!("aws --endpoint-url {endpoint} lambda list-event-source-mappings"));
    screen.line(&screen.bold(&format!("decide in the browser: {}", stage.page())));
    let (home, binary) = (stage.product.home().display(), stage.product.binary().display());
    screen.line(&format!("or look here: cd {home} && {binary} cases"));
    Ok(())
}
