"""The eight OSCAL documents, written and checked without any other program's code.

    names, blocks   ids, UUIDs, instants; the pieces that every document is made of
    picture         all that the documents speak of
    catalog, profile, component, plan, assessment, results, actions, mapping    one model each
    documents       the eight together, and where each lies in a bundle
    shapes, lint    the subset that is written here, and what is wrong with a set of documents

People write YAML and read HTML and CSV; OSCAL is only generated.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 9.1
"""
