# SPDX-License-Identifier: Apache-2.0
"""What the people of the story write to each other."""

from web.demo.story import (
    ANA,
    COUNTERS,
    DATA,
    DEE,
    INES,
    MAREK,
    PERMITS,
    PRIYA,
    SAM,
    STAFF,
    TOM,
    Said,
    Talk,
)

FASTER = Talk(
    PERMITS,
    MAREK,
    "How we cut permit times from 21 days to 12.6",
    "building-permits, digital-forms, lead-times",
    """A year ago a simple building permit took us **21 days** on average. Last quarter it took
**12.6**, which is 40 % less. Nobody was hired and nothing is checked less. Three things did it:

1. **The form asks only what the case needs.** A garden shed no longer sees the questions about
   fire exits. Incomplete applications fell from 46 % to 17 %.
2. **Every application is looked at on the day it comes in**, for ten minutes. What is missing is
   asked for at once, by telephone if there is a number.
3. **Reviews run side by side.** Planning, water and fire see the file on the same morning. It
   used to travel from desk to desk.

| Step | Before | After |
|---|---|---|
| Until somebody looks | 6 days | same day |
| Asking for what is missing | 7 days | 4 days |
| Reviews | 8 days | 8.6 days |

The reviews themselves did not get faster. We only stopped waiting between them. Ask me anything,
also about what went wrong.""",
    (
        Said(
            ANA,
            "Thank you for the table: it shows where the days went. In Riverton the first look"
            " takes five days, because one person opens the mail. Who does your ten minutes?",
            (
                Said(
                    MAREK,
                    "Two people take turns, a week each. Nobody decides anything in those ten"
                    " minutes; they only ask *could a reviewer start with this?* We wrote the"
                    " twelve questions on one page.",
                    (
                        Said(
                            ANA,
                            "Could you share the page? I would try it next week with sheds and"
                            " fences only.",
                            (
                                Said(
                                    MAREK,
                                    "Gladly:\n\n- Is the address in the register?\n- Is the owner"
                                    " the applicant, or is there a letter?\n- Is there a plan with"
                                    " a scale on it?\n\nThe other nine depend on your by-laws, so"
                                    " write your own. Sheds and fences are where we began, too.",
                                    endorsed=(ANA, DEE, TOM, PRIYA),
                                ),
                            ),
                        ),
                        Said(
                            INES,
                            "From the reviewers' side: the first month they did not trust the"
                            " ten minutes and checked everything again. It took a lunch to sort"
                            " out.",
                            endorsed=(MAREK, ANA),
                        ),
                    ),
                    endorsed=(ANA, DEE),
                ),
            ),
            endorsed=(MAREK,),
        ),
        Said(
            DEE,
            "What about people who come to the counter with paper? A third of ours do.",
            (
                Said(
                    PRIYA,
                    "The clerk opens the same form and fills it in with them. It takes fourteen"
                    " minutes, and the file is complete at the end of it. We kept the paper form"
                    " for those who want to take it home.",
                    (
                        Said(
                            DEE,
                            "Fourteen minutes is less than we spend now on the second visit."
                            " I will bring this up on Thursday.",
                        ),
                    ),
                    endorsed=(DEE, ANA, MAREK),
                ),
            ),
        ),
        Said(
            TOM,
            "How do you file it, when the reviews run side by side? We keep one dossier per"
            " case, and only one desk may write in it.",
            (
                Said(
                    PRIYA,
                    "One dossier still, and three opinions in it, each signed and dated by its"
                    " desk. The decision names all three. Our archivist was content.",
                    (Said(TOM, "So would I be. Thank you."),),
                ),
            ),
        ),
        Said(
            MAREK,
            "And since somebody will ask what went wrong: for two months the form sent its"
            " confirmation in a language that the applicant had not chosen. Nobody told us;"
            " they thought that it was meant so. **Test with people, not with colleagues.**",
            (
                Said(
                    DEE,
                    "We ask whoever waits at counter 3 whether they have ten minutes for a new"
                    " form. Most do. A coffee helps.",
                    endorsed=(MAREK, PRIYA, INES),
                ),
            ),
            endorsed=(ANA, INES),
        ),
    ),
    endorsed=(ANA, DEE, TOM, PRIYA, INES),
)

COUNTER_WORDS = Talk(
    PERMITS,
    ANA,
    "What do you say when somebody asks “why does it take so long”?",
    "plain-language, applicants",
    """Our letters say *your application is being processed*. People then call us to ask what that
means, forty times a week.

I would like to say which of the steps it is in, and until when. Does anybody do that already?""",
    (
        Said(
            INES,
            "We name the step and the day: “The fire service reads your plan until 14 March."
            " You need not do anything.” Calls went down by half. The last sentence matters"
            " most.",
            (
                Said(ANA, "“You need not do anything.” I am going to put that on a wall."),
                Said(
                    MAREK,
                    "If the day passes, the letter must go out by itself with a new one."
                    " Otherwise you have made it worse.",
                    endorsed=(ANA,),
                ),
            ),
            endorsed=(ANA, DEE, MAREK),
        ),
    ),
)

PHOTOS = Talk(
    PERMITS,
    INES,
    "Inspection photos: who keeps them, and for how long?",
    "inspections, records",
    """Our inspectors take some thirty photos a visit. They end up on telephones, in mails and on a
drive called *new folder (2)*. We want one rule that an inspector can remember on a ladder.""",
    (
        Said(
            TOM,
            "Ours fits on a sticker: *a photo that a decision rests on goes into the file the"
            " same day; every other photo is deleted the same week*. The file keeps it as long"
            " as the permit itself.",
            (Said(INES, "“That a decision rests on” is the line that I was missing."),),
            endorsed=(INES, MAREK),
        ),
    ),
)

TEMPLATE = Talk(
    DATA,
    PRIYA,
    "What Harbor County took over from Cascadia's data platform, and what not",
    "templates, data-platform",
    """Harbor County's health department started from the unified data platform template that the
State of Cascadia published. I asked them what they would tell the next one:

- They took over the **catalogue** and the **access rules** as they were.
- They rewrote the **loading jobs**, since the county has two people and not twelve.
- Seven months until the first report, instead of the eighteen in their own plan.

Would this carry over to permits? I think that the catalogue would.""",
    (
        Said(
            ANA,
            "The access rules would help us more than the catalogue. We argue about every"
            " single export.",
            (
                Said(
                    PRIYA,
                    "They are two pages. The useful part is a list of who may say yes.",
                    endorsed=(ANA,),
                ),
            ),
        ),
    ),
    endorsed=(ANA, TOM),
)

REGISTER = Talk(
    DATA,
    TOM,
    "Which address register do you match permits against?",
    "registers",
    """We have three registers that disagree about 412 addresses, mostly corner houses and
courtyards. Before I start a fourth one: whose word counts at your place?""",
    (
        Said(
            PRIYA,
            "The surveyor's. Everybody else holds a copy with a date on it, and may report an"
            " error but not mend it.",
            endorsed=(TOM,),
        ),
    ),
)

QUIET = Talk(
    COUNTERS,
    DEE,
    "A quiet hour on Wednesdays: four weeks in",
    "accessibility, opening-hours",
    """Every Wednesday from 8 to 9 we switch off the music and the ticket calls, and nobody has to
stand in line. It was asked for by the parents of an autistic boy.

After four weeks: 31 people came for it, 12 of them for the first time in years. It costs us one
person from the telephone. We are keeping it.""",
    (
        Said(
            MAREK,
            "How do people hear of it? A sign at the door does not reach those who stay away.",
            (
                Said(
                    DEE,
                    "Through the schools and two doctors. The sign brought nobody at all.",
                    endorsed=(MAREK, PRIYA),
                ),
            ),
        ),
        Said(
            INES,
            "We will try Tuesdays from February, and report here.",
            endorsed=(DEE, ANA),
        ),
    ),
    endorsed=(ANA, SAM, MAREK, PRIYA, INES),
)

QUESTIONS = Talk(
    COUNTERS,
    PRIYA,
    "Which question comes to your counter that a page should have answered?",
    "web-content",
    """I collect them for a rewrite of our pages. Ours, last week: *Do I need a permit to cut down
a dead tree?* (Yes, if it is thicker than a dinner plate.)""",
    (
        Said(
            DEE,
            "*Which of the two buildings are you in?* Eleven times yesterday.",
            endorsed=(PRIYA,),
        ),
        Said(SAM, "*Is today a holiday?* Usually on the day after one."),
    ),
)

PILOT = Talk(
    STAFF,
    SAM,
    "Who looks after the permits pilot while Ana is away?",
    "",
    """Ana is away for the first two weeks of March. The ten-minute look that we are borrowing from
Lakeside starts on the 3rd. Who takes the first week?""",
    (
        Said(DEE, "I do, from the counter side. Tom knows the files."),
        Said(TOM, "And I take the second one."),
    ),
)

TALKS = (FASTER, COUNTER_WORDS, PHOTOS, TEMPLATE, REGISTER, QUIET, QUESTIONS, PILOT)
