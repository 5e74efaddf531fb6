"""What a person decides about imported tickets and supplements, carried out by the rules of the import (D20)."""
