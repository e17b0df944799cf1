"""Consents, referrals and what banks report of them."""

import asyncio
from datetime import timedelta
from typing import Any

from rig.load_hands import bank, enterprise, officer
from rig.load_world import Referral, Scene

FIELDS = (
    "enterprise.id",
    "enterprise.name",
    "enterprise.region",
    "title.number",
    "need.amount",
    "contact.email",
)
PURPOSES = ("financing", "ip-pledge-financing")
PRODUCTS = {"open": [], "titled": ["hnte", "ip-advantage"]}
NEXT = {
    "sent": ("accepted", "accepted", "returned", "rejected"),
    "accepted": ("approved", "approved", "rejected"),
}


async def offer(scene: Scene, bank_id: str, product_id: str) -> None:
    body = {
        "name": {"zh": "科技贷 {intent}", "en": "S&T loan"}, "amount_max": "5000000.00", "term_months_max": 36,
        "annual_rate_from": "0.0385", "annual_rate_to": "0.0435", "programmes": PRODUCTS[product_id], "open": True,
    }  # fmt: skip
    await scene.hands.write(
        officer("li"), "finance-link", "PUT", f"/v1/products/{bank_id}/{product_id}", body, kind="product",
        bank_id=bank_id, product_id=product_id,
    )  # fmt: skip


async def offer_again(scene: Scene) -> None:
    await offer(scene, scene.bank(), scene.chance.choice(sorted(PRODUCTS)))


async def give_consent(scene: Scene) -> None:
    """For few enterprises and few banks, so that one consent replaces another all the time."""
    await _consent(scene, scene.somebody(), scene.bank(), scene.chance.choice(PURPOSES))


async def give_consents_at_once(scene: Scene) -> None:
    """For each bank and purpose one, all in one moment: rows of their own, and one key whose events have an order."""
    enterprise_id = scene.somebody()
    relations = [(bank_id, purpose) for bank_id in sorted(scene.banks) for purpose in PURPOSES]
    await asyncio.gather(*(_consent(scene, enterprise_id, *relation) for relation in relations))


async def _consent(scene: Scene, enterprise_id: str, bank_id: str, purpose: str) -> None:
    fields = ["enterprise.id", *scene.chance.sample(FIELDS[1:], scene.chance.randint(0, 4))]
    last_day = scene.today + timedelta(days=scene.chance.choice([2, 5, 200, 200]))
    body = {
        "bank_id": bank_id, "purpose": purpose, "fields": fields, "text_version": "{intent}",
        "expires_on": str(last_day), "on_title": scene.chance.random() < 0.7,
    }  # fmt: skip
    answer = await scene.hands.write(
        enterprise(enterprise_id), "finance-link", "POST", "/v1/consents", body, kind="consent",
        enterprise_id=enterprise_id,
    )  # fmt: skip
    if answer is not None and answer.acknowledged:
        scene.world.consents.append((answer.content["consent_id"], enterprise_id))


async def withdraw_consent(scene: Scene) -> None:
    if not scene.world.consents:
        return
    place = scene.chance.randrange(max(0, len(scene.world.consents) - 6), len(scene.world.consents))
    consent_id, enterprise_id = scene.world.consents[place]
    await scene.hands.write(
        enterprise(enterprise_id), "finance-link", "POST", f"/v1/consents/{consent_id}/withdrawal",
        kind="withdraw-consent", consent_id=consent_id,
    )  # fmt: skip


async def ask_for_referral(scene: Scene) -> None:
    enterprise_id, bank_id = scene.somebody(), scene.bank()
    body = {
        "bank_id": bank_id, "product_id": scene.chance.choice(sorted(PRODUCTS)),
        "purpose": scene.chance.choice(PURPOSES), **_need(scene),
    }  # fmt: skip
    answer = await scene.hands.write(
        enterprise(enterprise_id), "finance-link", "POST", "/v1/referrals", body, kind="referral",
        enterprise_id=enterprise_id,
    )  # fmt: skip
    if answer is not None and answer.acknowledged:
        known = Referral(answer.content["referral_id"], enterprise_id, bank_id)
        scene.world.referrals.append(known)


def _need(scene: Scene) -> dict[str, Any]:
    return {"amount": f"{scene.chance.randint(1, 500) * 10000}.00", "term_months": 12, "use": "周转 {intent}"}


async def mend_or_withdraw_referral(scene: Scene) -> None:
    if not scene.world.referrals:
        return
    one = scene.chance.choice(scene.world.referrals[-12:])
    path, who = f"/v1/referrals/{one.referral_id}", enterprise(one.enterprise_id)
    if scene.chance.random() < 0.5:
        await scene.hands.write(
            who,
            "finance-link",
            "POST",
            f"{path}/withdrawal",
            kind="withdraw-referral",
            referral_id=one.referral_id,
        )
    else:
        await scene.hands.write(
            who, "finance-link", "PUT", f"{path}/need", _need(scene), kind="need", referral_id=one.referral_id
        )


async def report_outcome(scene: Scene) -> None:
    """A bank takes up what it was sent, two of its desks at times the same request."""
    bank_id = scene.bank()
    state = scene.chance.choice(["sent", "sent", "accepted", "approved"])
    read = await scene.hands.read(
        bank(bank_id), "finance-link", f"/v1/banks/{bank_id}/referrals?state={state}&limit=200"
    )
    items = read.content["items"] if read is not None and read.acknowledged else []
    if items:
        referral_id = scene.chance.choice(items[-8:])["referral_id"]
        body = _report(scene, state)
        await scene.hands.write(
            bank(bank_id), "finance-link", "POST", f"/v1/referrals/{referral_id}/outcomes", body, kind="outcome",
            referral_id=referral_id, outcome=body["kind"],
        )  # fmt: skip


def _report(scene: Scene, state: str) -> dict[str, Any]:
    kind = scene.chance.choice(NEXT.get(state, ("disbursed",)))
    more: dict[str, dict[str, Any]] = {
        "accepted": {},
        "returned": {"reason": "请补充材料 {intent}"},
        "approved": {"amount": "400000.00", "annual_rate": "0.0435", "term_months": 12},
        "disbursed": {"contract_number": "{intent}", "amount": "100000.00", "disbursed_on": str(scene.today)},
        "rejected": {"reason_code": "R1", "reason": "不符合条件 {intent}"},
    }
    return {"kind": kind, "bank_reference": "{intent}", **more[kind]}
