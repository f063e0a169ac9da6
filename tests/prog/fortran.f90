! fortran.f90 - a Fortran main program.
program fortran
    implicit none
    integer :: i
    real(8) :: total
    real(8), allocatable :: values(:)

    allocate (values(1000))
    do i = 1, 1000
        values(i) = sqrt(real(i, 8))**2
    end do
    total = sum(values)
    deallocate (values)
    print '(a, f10.1)', 'total ', total
    if (abs(total - 500500d0) > 1d-6) stop 1
    stop 5
end program fortran
