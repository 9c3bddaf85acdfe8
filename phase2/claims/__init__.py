"""Claims: sentences about results that could be wrong, each bound to the test that decides it."""

from phase2.claims.claim import Claim as Claim
from phase2.claims.claim import claim as claim
from phase2.claims.evidence import Estimate as Estimate
from phase2.claims.evidence import Evidence as Evidence
from phase2.claims.evidence import Verdict as Verdict
from phase2.claims.evidence import all_of as all_of
from phase2.claims.evidence import any_of as any_of
from phase2.claims.evidence import exact as exact
from phase2.claims.results import Results as Results
