/**
 * The S-box of SM4 on 32 bytes at once, bit i of each in `planes[i]`, without a table: what a table look-up
 * takes depends on the secret that it looks up. The standard's table is A · (A · x ⊕ c)⁻¹ ⊕ c over the field
 * of x⁸+x⁷+x⁶+x⁵+x⁴+x²+1; here the inverse is taken in the same field built as a tower of squares,
 * GF(4) with w² = w + 1, GF(16) with z² = z + w², GF(256) with y² = y + ν, where ν = w² · z + w². Both affine
 * maps have the change of field in them. A test compares all 256 values with that definition.
 */
export function substitute(planes: Int32Array): void {
  const x0 = planes[0] as number
  const x1 = planes[1] as number
  const x2 = planes[2] as number
  const x3 = planes[3] as number
  const x4 = planes[4] as number
  const x5 = planes[5] as number
  const x6 = planes[6] as number
  const x7 = planes[7] as number

  // Into the tower field, by way of the first affine map.
  const t0 = x0 ^ x1
  const t1 = x3 ^ x4
  const t2 = t0 ^ x2
  const t3 = x5 ^ x6
  const t4 = t1 ^ t3
  const t5 = t4 ^ x7
  const t6 = x4 ^ x5
  const t7 = t1 ^ x1
  const t8 = t2 ^ x4
  const t9 = t0 ^ t5
  const t10 = t2 ^ t4
  const t11 = ~t5
  const t12 = ~t7
  const t13 = ~t8
  const t14 = ~x6
  const t15 = ~t10

  // The norm: ν · high² ⊕ low · (high ⊕ low).
  const t16 = t11 ^ t13
  const t17 = t12 ^ t14
  const t18 = t2 ^ t9
  const t19 = t6 ^ t15
  const t20 = t6 & t19
  const t21 = t2 & t18
  const t22 = t2 ^ t6
  const t23 = t18 ^ t19
  const t24 = t22 & t23
  const t25 = t20 ^ t21
  const t26 = t21 ^ t24
  const t27 = t12 & t17
  const t28 = t11 & t16
  const t29 = t11 ^ t12
  const t30 = t16 ^ t17
  const t31 = t29 & t30
  const t32 = t27 ^ t28
  const t33 = t28 ^ t31
  const t34 = t2 ^ t11
  const t35 = t6 ^ t12
  const t36 = t16 ^ t18
  const t37 = t17 ^ t19
  const t38 = t35 & t37
  const t39 = t34 & t36
  const t40 = t34 ^ t35
  const t41 = t36 ^ t37
  const t42 = t40 & t41
  const t43 = t38 ^ t39
  const t44 = t39 ^ t42
  const t45 = t25 ^ t26
  const t46 = t32 ^ t45
  const t47 = t25 ^ t33
  const t48 = t32 ^ t43
  const t49 = t33 ^ t44
  const t50 = t9 ^ t14
  const t51 = t13 ^ t15
  const t52 = t15 ^ t50
  const t53 = t14 ^ t46
  const t54 = t13 ^ t47
  const t55 = t48 ^ t52
  const t56 = t49 ^ t51

  // Its inverse, once more by a norm: one level down, where to invert is to square.
  const t57 = t53 ^ t55
  const t58 = t54 ^ t56
  const t59 = t54 & t58
  const t60 = t53 & t57
  const t61 = t53 ^ t54
  const t62 = t57 ^ t58
  const t63 = t61 & t62
  const t64 = t59 ^ t60
  const t65 = t60 ^ t63
  const t66 = t55 ^ t56
  const t67 = t56 ^ t66
  const t68 = t64 ^ t67
  const t69 = t65 ^ t66
  const t70 = t68 ^ t69
  const t71 = t58 & t69
  const t72 = t57 & t70
  const t73 = t69 ^ t70
  const t74 = t62 & t73
  const t75 = t71 ^ t72
  const t76 = t72 ^ t74
  const t77 = t56 & t69
  const t78 = t55 & t70
  const t79 = t66 & t73
  const t80 = t77 ^ t78
  const t81 = t78 ^ t79

  // Both halves of the inverse.
  const t82 = t15 & t81
  const t83 = t9 & t80
  const t84 = t9 ^ t15
  const t85 = t80 ^ t81
  const t86 = t84 & t85
  const t87 = t82 ^ t83
  const t88 = t83 ^ t86
  const t89 = t14 & t76
  const t90 = t13 & t75
  const t91 = t13 ^ t14
  const t92 = t75 ^ t76
  const t93 = t91 & t92
  const t94 = t89 ^ t90
  const t95 = t90 ^ t93
  const t96 = t9 ^ t13
  const t97 = t14 ^ t15
  const t98 = t75 ^ t80
  const t99 = t76 ^ t81
  const t100 = t97 & t99
  const t101 = t96 & t98
  const t102 = t96 ^ t97
  const t103 = t98 ^ t99
  const t104 = t102 & t103
  const t105 = t100 ^ t101
  const t106 = t101 ^ t104
  const t107 = t87 ^ t88
  const t108 = t94 ^ t107
  const t109 = t87 ^ t95
  const t110 = t94 ^ t105
  const t111 = t95 ^ t106
  const t112 = t19 & t81
  const t113 = t18 & t80
  const t114 = t23 & t85
  const t115 = t112 ^ t113
  const t116 = t113 ^ t114
  const t117 = t17 & t76
  const t118 = t16 & t75
  const t119 = t30 & t92
  const t120 = t117 ^ t118
  const t121 = t118 ^ t119
  const t122 = t37 & t99
  const t123 = t36 & t98
  const t124 = t41 & t103
  const t125 = t122 ^ t123
  const t126 = t123 ^ t124
  const t127 = t115 ^ t116
  const t128 = t120 ^ t127
  const t129 = t115 ^ t121
  const t130 = t120 ^ t125
  const t131 = t121 ^ t126

  // Back, by way of the second affine map.
  const t132 = t129 ^ t131
  const t133 = t108 ^ t128
  const t134 = t111 ^ t132
  const t135 = t130 ^ t134
  const t136 = t109 ^ t133
  const t137 = t128 ^ t129
  const t138 = t110 ^ t128
  const t139 = t111 ^ t129
  const t140 = t130 ^ t136
  const t141 = t108 ^ t135
  const t142 = t109 ^ t134
  const t143 = t109 ^ t137
  const t144 = t110 ^ t136
  const t145 = t133 ^ t139
  const t146 = t135 ^ t138
  planes[0] = ~t146
  planes[1] = ~t143
  planes[2] = t141
  planes[3] = t145
  planes[4] = ~t142
  planes[5] = t132
  planes[6] = ~t144
  planes[7] = ~t140
}
