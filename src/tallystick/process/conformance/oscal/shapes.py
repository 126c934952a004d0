"""The subset of OSCAL that is written here, as data: what each object must have and may have.

A member is `name type`, with `!` behind a name that must be there and `[]` behind a type that
comes in an array. A type that begins with a capital is another object of this table. Words in
braces are the whole vocabulary of a member. What is not in the table is not written, so a checker
that knows only the table sees every other member as foreign.

Source: OSCAL 1.2.1
"""

from typing import Final

_HASHES: Final = "{SHA-224 SHA-256 SHA-384 SHA-512 SHA3-224 SHA3-256 SHA3-384 SHA3-512}"
_STATES: Final = "{implemented partial planned alternative not-applicable}"

SHAPES: Final[dict[str, str]] = {
    # what every document has
    "Metadata": "title! line, last-modified! when, version! string, oscal-version! string,"
    " props Prop[], roles Role[], parties Party[], responsible-parties Responsible[]",
    "Prop": "name! token, ns uri, value! string, remarks text",
    "Role": "id! token, title! line",
    "Party": "uuid! uuid, type! {person organization}, name! string",
    "Responsible": "role-id! token, party-uuids! ref[]",
    "Back": "resources! Resource[]",
    "Resource": "uuid! uuid, title! line, description text, props Prop[], rlinks Rlink[],"
    " citation Citation",
    "Rlink": "href! href, media-type string, hashes Hash[]",
    "Hash": f"algorithm! {_HASHES}, value! hex",
    "Citation": "text! line",
    "Selections": "control-selections! Selection[]",
    "Selection": "include-controls! Chosen[]",
    "Chosen": "control-id! control",
    "Empty": "",
    "Part": "id token, name! token, props Prop[], prose text, parts Part[]",
    # catalog
    "catalog": "uuid! uuid, metadata! Metadata, groups! Group[]",
    "Group": "id! token, class token, title! line, controls! Control[]",
    "Control": "id! token, class token, title! line, props Prop[], parts! Part[]",
    # profile
    "profile": "uuid! uuid, metadata! Metadata, imports! Import[], merge! Merge",
    "Import": "href! href, include-controls! WithIds[]",
    "WithIds": "with-ids! catalogued[]",
    "Merge": "as-is! flag",
    # component definition
    "component-definition": "uuid! uuid, metadata! Metadata, components! Defined[]",
    "Defined": "uuid! uuid, type! token, title! line, description! text, props Prop[],"
    " control-implementations! Implementation[]",
    "Implementation": "uuid! uuid, source! href, description! text,"
    " implemented-requirements! Implemented[]",
    "Implemented": "uuid! uuid, control-id! control, description! text, statements! Stated[]",
    "Stated": "statement-id! statement, uuid! uuid, description! text",
    # system security plan
    "system-security-plan": "uuid! uuid, metadata! Metadata, import-profile! Pointer,"
    " system-characteristics! Characteristics, system-implementation! System,"
    " control-implementation! Controls",
    "Pointer": "href! href",
    "Characteristics": "system-ids! SystemId[], system-name! string, description! text,"
    " props Prop[], system-information! Information, status! Operating,"
    " authorization-boundary! Described",
    "SystemId": "id! string, identifier-type uri",
    "Information": "information-types! InformationType[]",
    "InformationType": "uuid! uuid, title! line, description! text,"
    " confidentiality-impact Impact, integrity-impact Impact, availability-impact Impact",
    "Impact": "base! string",
    "Operating": "state! {operational under-development disposition other}",
    "Described": "description! text",
    "System": "users! Person[], components! Component[]",
    "Person": "uuid! uuid, title! line, role-ids token[], authorized-privileges Privilege[]",
    "Privilege": "title! line, functions-performed! string[]",
    "Component": "uuid! uuid, type! token, title! line, description! text, status! Operating",
    "Controls": "description! text, implemented-requirements! Planned[]",
    "Planned": "uuid! uuid, control-id! control, props Prop[], statements! PlannedStatement[]",
    "PlannedStatement": "statement-id! statement, uuid! uuid, by-components! ByComponent[]",
    "ByComponent": "component-uuid! ref, uuid! uuid, description! text,"
    " implementation-status! Implementing",
    "Implementing": f"state! {_STATES}",
    # assessment plan
    "assessment-plan": "uuid! uuid, metadata! Metadata, import-ssp! Pointer,"
    " local-definitions Activities, reviewed-controls! Selections,"
    " assessment-subjects! Subjects[], assessment-assets! Assets, tasks Task[]",
    "Activities": "activities! Activity[]",
    "Activity": "uuid! uuid, title! line, description! text, props Prop[],"
    " related-controls! Selections",
    "Subjects": "type! {component inventory-item location party user}, include-all! Empty",
    "Assets": "components! Component[], assessment-platforms! Platform[]",
    "Platform": "uuid! uuid, title line, uses-components Uses[]",
    "Uses": "component-uuid! ref",
    "Task": "uuid! uuid, type! {milestone action}, title! line, timing Timing,"
    " associated-activities Associated[]",
    "Timing": "at-frequency! Frequency",
    "Frequency": "period! positive, unit! {seconds minutes hours days months years}",
    "Associated": "activity-uuid! ref, subjects! Subjects[]",
    # assessment results
    "assessment-results": "uuid! uuid, metadata! Metadata, import-ap! Pointer, results! Result[],"
    " back-matter Back",
    "Result": "uuid! uuid, title! line, description! text, start! when, end when, props Prop[],"
    " reviewed-controls! Selections, observations Observation[], findings Finding[]",
    "Observation": "uuid! uuid, title line, description! text, props Prop[],"
    " methods! {EXAMINE INTERVIEW TEST UNKNOWN}[],"
    " types {ssp-statement-issue control-objective mitigation finding discovery historic}[],"
    " origins Origin[], subjects Subject[], relevant-evidence Relevant[], collected! when,"
    " expires when",
    "Origin": "actors! Actor[]",
    "Actor": "type! {tool assessment-platform party}, actor-uuid! ref",
    "Subject": "subject-uuid! ref, type! {component inventory-item location party user resource}",
    "Relevant": "href href, description! text",
    "Finding": "uuid! uuid, title! line, description! text, props Prop[], target! Target,"
    " implementation-statement-uuid ref, related-observations Related[]",
    "Target": "type! {statement-id objective-id}, target-id! part, status! Status,"
    " implementation-status Implementing",
    "Status": "state! {satisfied not-satisfied}, reason {pass fail other}",
    "Related": "observation-uuid! ref",
    # plan of action and milestones
    "plan-of-action-and-milestones": "uuid! uuid, metadata! Metadata, import-ssp! Pointer,"
    " system-id SystemId, local-definitions Local, observations Observation[], risks Risk[],"
    " poam-items! Item[]",
    "Local": "components! Component[]",
    "Risk": "uuid! uuid, title! line, description! text, statement! text, props Prop[],"
    " status! {open investigating remediating deviation-requested deviation-approved closed},"
    " deadline when, related-observations Related[]",
    "Item": "uuid uuid, title! line, description! text, props Prop[],"
    " related-observations Related[], related-risks RelatedRisk[]",
    "RelatedRisk": "risk-uuid! ref",
    # mapping collection
    "mapping-collection": "uuid! uuid, metadata! Metadata, provenance! Provenance,"
    " mappings! Mapping[], back-matter Back",
    "Provenance": "method! {human automation hybrid},"
    " matching-rationale! {syntactic semantic functional},"
    " status! {complete not-complete draft deprecated superseded}, mapping-description! text",
    "Mapping": "uuid! uuid, source-resource! Mapped, target-resource! Mapped, maps! Map[]",
    "Mapped": "type! {catalog profile}, href! href",
    "Map": "uuid! uuid, relationship! {equivalent-to equal-to subset-of superset-of"
    " intersects-with no-relationship}, sources! Source[], targets! Place[]",
    "Source": "type! {control statement}, id-ref! control",
    "Place": "type! {control statement}, id-ref! string",
}
"""Each object of the subset."""
