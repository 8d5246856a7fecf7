// The code is used up by a POST, so that a program that only follows links cannot do it; a browser does it by itself.
history.replaceState(null, "", "/signin/once");
document.forms[0].submit();
