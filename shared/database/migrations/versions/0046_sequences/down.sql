DROP FUNCTION sequences_behind();
