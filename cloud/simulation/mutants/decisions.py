"""Seeded design bugs of approvals, cancellations and gates."""

from cloud.simulation.mutants.mutant import Mutant, edit

DECISIONS = (
    Mutant(
        "a cancelled deployment goes on",
        (
            edit(
                "domain.deployment:Deployment.refuse_to_continue",
                "if self.cancel_requested_by is not None:",
                "if False:",
            ),
        ),
        ("cancel@Approve", "cancel@Verify"),
    ),
    Mutant(
        "an approval never expires",
        (edit("domain.approval:Approval.approved", "if now < self.expires_at:", "if True:"),),
        ("expiry",),
    ),
    Mutant(
        "an approval can be decided again",
        (
            edit("domain.approval:Approval.decided", "if self.decision is not None:", "if False:"),
            edit(
                "requests.decide:_write_decision", "if approval.decision is not None:", "if False:"
            ),
        ),
        ("double-click",),
    ),
    Mutant(
        "a rejection lets the deployment through",
        (
            edit(
                "domain.approval:Approval.approved",
                "if self.decision.answer is Answer.REJECT:",
                "if False:",
            ),
        ),
        ("reject",),
    ),
    Mutant(
        "a gate that fails stops nobody",
        (edit("steps.check:check", "if failed is not None:", "if False:"),),
        ("gate-failure",),
    ),
)
