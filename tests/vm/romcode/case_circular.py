"""Two modules that import each other, each seen while the other is half done."""

import part_left
import part_right

print(part_left.late(), part_right.read())
print(sorted(name for name in dir(part_left) if name[0] != "_"))
print(part_left.part_right is part_right, part_right.part_left is part_left)
