# Takes out what scdoc writes and mandoc warns of: paragraphs that are empty.
/^\.P$/ { paragraph = !heading; next }
/^\.RE$/ { print; next } # the paragraph follows what it ends
/^\.(SH|SS|RS|TH)/ { paragraph = 0 }
paragraph { print ".P"; paragraph = 0 }
{ print; heading = /^\.(SH|SS|TH)/ }
