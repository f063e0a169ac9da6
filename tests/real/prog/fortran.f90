! fortran.f90 - allocatable and automatic arrays, formatted and unformatted I/O, recursion, a stop
! code.
module state
    implicit none
    integer :: counter = 3
    real(8), allocatable :: field(:, :)
contains
    recursive function depth(n) result(r)
        integer, intent(in) :: n
        integer :: r, pad(256)
        pad = n
        r = pad(7)
        if (n > 0) r = r + depth(n - 1)
    end function

    subroutine automatic(n, total)
        integer, intent(in) :: n
        real(8), intent(out) :: total
        real(8) :: work(n, 16)
        work = 0.5d0
        total = sum(work)
    end subroutine
end module

program main
    use state
    implicit none
    character(len=80) :: line
    integer :: i, ios, lines, total
    real(8) :: s

    allocate(field(300, 300))
    do i = 1, 300
        field(:, i) = i * 0.25d0
    end do
    field = matmul(field, transpose(field))
    write (*, '(a, f20.4, i6)') 'field ', sum(field), counter
    call automatic(20000, s)
    write (*, '(a, es14.6, i12)') 'stack ', s, depth(2000)

    lines = 0
    total = 0
    do
        read (*, '(a)', iostat=ios) line
        if (ios /= 0) exit
        lines = lines + 1
        total = total + len_trim(line)
    end do
    write (*, '(a, 2i10)') 'input ', lines, total

    open (unit=10, status='scratch', form='unformatted')
    write (10) field(1:10, 1)
    rewind (10)
    field = 0
    read (10) field(1:10, 1)
    close (10)
    write (*, '(a, 10f12.2)') 'file ', field(1:10, 1)
    print *, 'list', counter, .true., (1.0, -2.0)
    write (0, '(a)') 'to stderr'
    stop 6
end program
