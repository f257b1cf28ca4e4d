# SPDX-License-Identifier: Apache-2.0
"""Signing in and out, and the ways to get an account."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Invalid, NotAllowed, NotFound, TooFast
from server.keys import NewKey
from server.members import accounts, passwords, sign_in
from server.members.accounts import AccountDraft
from web import limits, sessions
from web.forms import Form, submit
from web.limits import spend
from web.next_page import own_page
from web.visits import Visit, arrive


async def sign_in_page(request: Request) -> Response:
    """The form, or straight on for whoever is signed in."""
    visit = await arrive(request)
    wanted = own_page(request.query_params.get("next", ""))
    if visit.viewer.member is not None:
        return visit.go(wanted)
    return _sign_in_form(visit, wanted)


def _sign_in_form(
    visit: Visit, wanted: str, login: str = "", sentence: str = "", status: int = 200
) -> Response:
    values = {"wanted": wanted, "login": login, "sentence": sentence}
    return visit.page("members/sign_in.html", status, **values)


async def sign_in_post(request: Request) -> Response:
    """A new session with a new token; the one held before ends."""
    visit, form = await submit(request)
    wanted = own_page(form["next"])
    address = limits.address_of(request)
    try:
        spend(visit, limits.SIGN_IN)
        token = await sign_in.sign_in(visit.instance, form["login"], form["password"], address)
    except Invalid as error:
        return _sign_in_form(visit, wanted, form["login"], error.sentence, 422)
    except TooFast as error:
        page = _sign_in_form(visit, wanted, form["login"], error.sentence, 429)
        page.headers["Retry-After"] = str(error.retry_after)
        return page
    if visit.token is not None:
        async with visit.instance.transaction() as tx:
            await sign_in.sign_out(tx, visit.token)
    return _welcome(visit, token, wanted)


def _welcome(visit: Visit, token: str, path: str) -> Response:
    response = visit.go(path, "welcome")
    sessions.give(response, visit.instance.settings, token)
    return response


async def sign_out_post(request: Request) -> Response:
    """End this session, here and in the database."""
    visit, _ = await submit(request)
    if visit.token is not None:
        async with visit.instance.transaction() as tx:
            await sign_in.sign_out(tx, visit.token)
    response = visit.go("/", "signed_out")
    sessions.take(response, visit.instance.settings)
    return response


def _draft(form: Form, email: str) -> AccountDraft:
    return AccountDraft(
        handle=form["handle"],
        email=email,
        name=form["name"],
        password=form["password"],
        role_title=form["role_title"],
    )


async def _prepared(visit: Visit, draft: AccountDraft) -> tuple[str, tuple[NewKey, NewKey]]:
    """What an account needs that takes long to make: the password's hash, the keys."""
    spend(visit, limits.JOIN)
    return await passwords.hashed(draft.password), await visit.instance.vault.new_pair()


async def first_run_page(request: Request) -> Response:
    """The form that makes the first administrator, while there is none."""
    visit = await arrive(request)
    await _must_be_first_run(visit)
    return visit.page("members/first_run.html", typed={}, faults={})


async def _must_be_first_run(visit: Visit) -> None:
    async with visit.instance.reading() as session:
        if await accounts.any_admin(session):
            raise NotFound("This site already has an administrator.")


async def first_run_post(request: Request) -> Response:
    """Make the administrator and sign them in."""
    visit, form = await submit(request)
    await _must_be_first_run(visit)
    try:
        draft = accounts.check(_draft(form, form["email"]))
        password_hash, keys = await _prepared(visit, draft)
        async with visit.instance.transaction() as tx:
            member = await accounts.create_first_admin(tx, draft, password_hash, keys)
            token = await sign_in.open_session(tx, member)
    except Invalid as error:
        values = {"typed": form.values, "faults": error.fields}
        return visit.page("members/first_run.html", 422, **values)
    return _welcome(visit, token, "/admin")


async def sign_up_page(request: Request) -> Response:
    """Ask for an address, where the settings let a domain's people in."""
    visit = await arrive(request)
    return visit.page("members/sign_up.html", typed={}, faults={})


async def sign_up_post(request: Request) -> Response:
    """Send the letter; the answer is the same whether or not there is an account."""
    visit, form = await submit(request)
    if not visit.instance.settings.signup_domains:
        raise NotAllowed("Accounts here are made by invitation: ask an administrator.")
    try:
        async with visit.instance.transaction() as tx:
            await accounts.ask_confirmation(tx, form["email"])
            # Counted once the address is known to be one that may sign up.
            spend(visit, limits.SIGN_UP)
            spend(visit, limits.SIGN_UP, f"to {form['email'].strip().lower()}")
    except Invalid as error:
        values = {"typed": form.values, "faults": error.fields}
        return visit.page("members/sign_up.html", 422, **values)
    return visit.go("/sign-up", "letter_sent")


async def confirm_page(request: Request) -> Response:
    """The form behind the link of a letter."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        found = await accounts.confirmation(
            session, request.path_params["token"], visit.instance.clock.now()
        )
    return _join_form(visit, email=found.email)


async def confirm_post(request: Request) -> Response:
    """Make the account for the address that the letter went to."""
    visit, form = await submit(request)
    token = request.path_params["token"]
    async with visit.instance.reading() as session:
        email = (await accounts.confirmation(session, token, visit.instance.clock.now())).email
    try:
        draft = accounts.check(_draft(form, email))
        password_hash, keys = await _prepared(visit, draft)
        async with visit.instance.transaction() as tx:
            member = await accounts.accept_confirmation(tx, token, draft, password_hash, keys)
            session_token = await sign_in.open_session(tx, member)
    except Invalid as error:
        return _join_form(visit, form, error, email=email)
    return _welcome(visit, session_token, "/")


async def invitation_page(request: Request) -> Response:
    """The form behind an administrator's link."""
    visit = await arrive(request)
    await _must_be_invited(visit, request.path_params["token"])
    return _join_form(visit)


async def _must_be_invited(visit: Visit, token: str) -> None:
    async with visit.instance.reading() as session:
        await accounts.invitation(session, token, visit.instance.clock.now())


async def invitation_post(request: Request) -> Response:
    """Make the account, and use the invitation up."""
    visit, form = await submit(request)
    token = request.path_params["token"]
    await _must_be_invited(visit, token)
    try:
        draft = accounts.check(_draft(form, form["email"]))
        password_hash, keys = await _prepared(visit, draft)
        async with visit.instance.transaction() as tx:
            member = await accounts.accept_invitation(tx, token, draft, password_hash, keys)
            session_token = await sign_in.open_session(tx, member)
    except Invalid as error:
        return _join_form(visit, form, error)
    return _welcome(visit, session_token, "/")


def _join_form(
    visit: Visit, form: Form | None = None, error: Invalid | None = None, email: str = ""
) -> Response:
    """`email` is set where a letter has already shown whose address it is."""
    return visit.page(
        "members/join.html",
        422 if error else 200,
        typed=form.values if form else {},
        faults=error.fields if error else {},
        email=email,
    )


routes = [
    Route("/sign-in", sign_in_page),
    Route("/sign-in", sign_in_post, methods=["POST"]),
    Route("/sign-out", sign_out_post, methods=["POST"]),
    Route("/first-run", first_run_page),
    Route("/first-run", first_run_post, methods=["POST"]),
    Route("/sign-up", sign_up_page),
    Route("/sign-up", sign_up_post, methods=["POST"]),
    Route("/sign-up/confirm/{token}", confirm_page),
    Route("/sign-up/confirm/{token}", confirm_post, methods=["POST"]),
    Route("/invitation/{token}", invitation_page),
    Route("/invitation/{token}", invitation_post, methods=["POST"]),
]
